"""A station that speaks OCPP 1.6."""

from bench.speech import Spoken
from bench.wire import FIRST_REGISTER_WH, Identity, frame, template

_SAMPLES = (
    b'{"value":"%d","context":"Sample.Periodic","format":"Raw","measurand":"Energy.Active.Import.Register",'
    b'"location":"Outlet","unit":"Wh"},'
    b'{"value":"149870.5","context":"Sample.Periodic","format":"Raw","measurand":"Power.Active.Import",'
    b'"location":"Outlet","unit":"W"},'
    b'{"value":"374.68","context":"Sample.Periodic","format":"Raw","measurand":"Current.Import",'
    b'"location":"Outlet","unit":"A"},'
    b'{"value":"400.1","context":"Sample.Periodic","format":"Raw","measurand":"Voltage",'
    b'"location":"Outlet","unit":"V"},'
    b'{"value":"35.5","context":"Sample.Periodic","format":"Raw","measurand":"Temperature",'
    b'"location":"Cable","unit":"Celsius"},'
    b'{"value":"57","context":"Sample.Periodic","format":"Raw","measurand":"SoC","location":"EV","unit":"Percent"}'
)
_READING_END = b',"meterValue":[{"timestamp":"%b","sampledValue":[' + _SAMPLES + b"]}]}]"
_MOMENT = b"2026-11-22T07:00:00.000Z"


def transaction_of(answer: bytes) -> int:
    """The transaction id in the answer to a StartTransaction."""
    digits = answer.partition(b'"transactionId":')[2]
    return int(digits.partition(b",")[0].partition(b"}")[0])


def _reading_template(transaction: int) -> bytes:
    """The MeterValues frame of one transaction, with places for (id, moment, register)."""
    body = b'%010d","MeterValues",{"connectorId":1,"transactionId":' + b"%d" % transaction + _READING_END
    return template(b'[2,"', body, (0, _MOMENT, FIRST_REGISTER_WH))


class V16(Spoken):
    """Its words; the session's id comes with the answer to the start."""

    subprotocol = "ocpp1.6"

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity)
        self._card = b""
        self._transaction = 0
        self._reading = b""

    def boot(self) -> bytes:
        """A BootNotification."""
        return frame(
            b'[2,"boot","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"B1",'
            b'"chargePointSerialNumber":"%b","firmwareVersion":"1.0"}]' % self.identity.id.encode()
        )

    def plugged(self) -> bytes:
        """A StatusNotification: Preparing."""
        return self._status(b"Preparing")

    def charging(self) -> bytes:
        """A StatusNotification: Charging."""
        return self._status(b"Charging")

    def freed(self) -> bytes:
        """A StatusNotification: Available."""
        return self._status(b"Available")

    def authorize(self, card: str) -> bytes:
        """An Authorize."""
        return frame(b'[2,"%010d","Authorize",{"idTag":"%b"}]' % (self.id(), card.encode()))

    def start(self, card: str) -> bytes:
        """A StartTransaction on connector 1, at the register where the last one ended."""
        self._card = card.encode()
        return frame(
            b'[2,"%010d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
            % (self.id(), self._card, self.meter.start(), self.moments.next())
        )

    def started(self, answer: bytes) -> None:
        """The transaction's id is the server's."""
        self._transaction = transaction_of(answer)
        self._reading = _reading_template(self._transaction)

    def reading(self) -> bytes:
        """A MeterValues with six values."""
        return self._reading % (self.id(), self.moments.next(), self.meter.read())

    def stop(self) -> bytes:
        """A StopTransaction."""
        return frame(
            b'[2,"%010d","StopTransaction",{"transactionId":%d,"idTag":"%b","meterStop":%d,"timestamp":"%b",'
            b'"reason":"Local"}]'
            % (self.id(), self._transaction, self._card, self.meter.stop(), self.moments.next())
        )

    def _status(self, status: bytes) -> bytes:
        return frame(
            b'[2,"%010d","StatusNotification",'
            b'{"connectorId":1,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
            % (self.id(), status, self.moments.next())
        )
