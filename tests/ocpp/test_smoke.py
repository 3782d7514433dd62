async def test_smoke(site):
    cp = await site.connect()
    print(await cp.boot())
    print(await cp.result("Heartbeat"))
    print(await cp.result("StatusNotification", {"connectorId":1,"errorCode":"NoError","status":"Available"}))
    print(await cp.result("Authorize", {"idTag":"04A1B2C3"}))
    s = await cp.result("StartTransaction", {"connectorId":1,"idTag":"04A1B2C3","meterStart":100,"timestamp":"2026-11-22T07:00:00Z"})
    print(s)
    print(await cp.result("MeterValues", {"connectorId":1,"transactionId":s["transactionId"],"meterValue":[{"timestamp":"2026-11-22T07:01:00Z","sampledValue":[{"value":"200"}]}]}))
    print(await cp.result("StopTransaction", {"transactionId":s["transactionId"],"meterStop":500,"timestamp":"2026-11-22T07:10:00Z"}))
    import asyncio
    from onprem_csms.domain.commands import Reset
    t = asyncio.create_task(site.stations.perform("CP1", Reset(), origin="test"))
    print(await cp.answer({"status":"Accepted"}))
    print(await t)
    print(await site.stations.send("CP1","GetConfiguration",{},origin="x",wait=False))
    print(await cp.hear())
    await asyncio.sleep(1)
    print(await site.quirks())
