"""A station that speaks OCPP 2.0.1."""

import uuid

from bench.speech import Spoken
from bench.wire import FIRST_REGISTER_WH, Identity, frame, template

_REGISTER = b'{"value":%d,"context":"%b","measurand":"Energy.Active.Import.Register","location":"Outlet"}'
_SAMPLES = (
    b'{"value":%d,"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","location":"Outlet",'
    b'"unitOfMeasure":{"unit":"Wh"}},'
    b'{"value":149870.5,"context":"Sample.Periodic","measurand":"Power.Active.Import","location":"Outlet",'
    b'"unitOfMeasure":{"unit":"W"}},'
    b'{"value":374.68,"context":"Sample.Periodic","measurand":"Current.Import","location":"Outlet",'
    b'"unitOfMeasure":{"unit":"A"}},'
    b'{"value":400.1,"context":"Sample.Periodic","measurand":"Voltage","location":"Outlet",'
    b'"unitOfMeasure":{"unit":"V"}},'
    b'{"value":149.9,"context":"Sample.Periodic","measurand":"Power.Offered","location":"Outlet",'
    b'"unitOfMeasure":{"unit":"kW"}},'
    b'{"value":57,"context":"Sample.Periodic","measurand":"SoC","location":"EV","unitOfMeasure":{"unit":"Percent"}}'
)
_EVENT = (
    b'%010d","TransactionEvent",{"eventType":"Updated","timestamp":"%b","triggerReason":"MeterValuePeriodic",'
)
_MOMENT = b"2026-11-22T07:00:00.000Z"


class V201(Spoken):
    """Its words; the session's id is the station's own."""

    subprotocol = "ocpp2.0.1"

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity)
        self._token = b""
        self._sequence = 0
        self._transaction = b""
        self._reading = b""

    def boot(self) -> bytes:
        """A BootNotification."""
        return frame(
            b'[2,"boot","BootNotification",{"reason":"PowerUp","chargingStation":'
            b'{"vendorName":"Bench","model":"B1","serialNumber":"%b","firmwareVersion":"1.0"}}]'
            % self.identity.id.encode()
        )

    def plugged(self) -> bytes:
        """A StatusNotification: Occupied."""
        return self._status(b"Occupied")

    def freed(self) -> bytes:
        """A StatusNotification: Available."""
        return self._status(b"Available")

    def authorize(self, card: str) -> bytes:
        """An Authorize."""
        return frame(b'[2,"%010d","Authorize",{"idToken":%b}]' % (self.id(), _id_token(card)))

    def start(self, card: str) -> bytes:
        """A TransactionEvent: Started, at the register where the last one ended."""
        self._token = _id_token(card)
        self._sequence = 0
        self._transaction = str(uuid.uuid4()).encode()
        self._reading = self._reading_template()
        return self._event(
            b"Started",
            b"Authorized",
            b'"idToken":%b,"meterValue":[%b]'
            % (self._token, self._register(b"Transaction.Begin", self.meter.start())),
        )

    def started(self, answer: bytes) -> None:
        """Nothing is needed of the answer."""

    def charging(self) -> bytes:
        """A TransactionEvent: Updated, the charging state changed."""
        return self._event(b"Updated", b"ChargingStateChanged", b"", b',"chargingState":"Charging"')

    def reading(self) -> bytes:
        """A TransactionEvent: Updated, with six values."""
        self._sequence += 1
        at = self.moments.next()
        return self._reading % (self.id(), at, self._sequence, at, self.meter.read())

    def stop(self) -> bytes:
        """A TransactionEvent: Ended."""
        return self._event(
            b"Ended",
            b"StopAuthorized",
            b'"idToken":%b,"meterValue":[%b]'
            % (self._token, self._register(b"Transaction.End", self.meter.stop())),
            b',"chargingState":"EVConnected","stoppedReason":"Local"',
        )

    def _register(self, context: bytes, register: int) -> bytes:
        value = _REGISTER % (register, context)
        return b'{"timestamp":"%b","sampledValue":[%b]}' % (self.moments.next(), value)

    def _event(self, type: bytes, trigger: bytes, more: bytes, info: bytes = b"") -> bytes:
        self._sequence += type != b"Started"
        return frame(
            b'[2,"%010d","TransactionEvent",{"eventType":"%b","timestamp":"%b","triggerReason":"%b","seqNo":%d,'
            b'"transactionInfo":{"transactionId":"%b"%b},"evse":{"id":1,"connectorId":1}%b}]'
            % (
                self.id(),
                type,
                self.moments.next(),
                trigger,
                self._sequence,
                self._transaction,
                info,
                b"," + more if more else b"",
            )
        )

    def _reading_template(self) -> bytes:
        """The reading's frame of one transaction, with places for (id, moment, sequence, moment, register)."""
        body = (
            _EVENT
            + b'"seqNo":%6d'
            + b',"transactionInfo":{"transactionId":"'
            + self._transaction
            + b'"},"evse":{"id":1,"connectorId":1},"meterValue":[{"timestamp":"%b","sampledValue":['
            + _SAMPLES
            + b"]}]}]"
        )
        return template(b'[2,"', body, (0, _MOMENT, 0, _MOMENT, FIRST_REGISTER_WH))

    def _status(self, status: bytes) -> bytes:
        return frame(
            b'[2,"%010d","StatusNotification",'
            b'{"timestamp":"%b","connectorStatus":"%b","evseId":1,"connectorId":1}]'
            % (self.id(), self.moments.next(), status)
        )


def _id_token(card: str) -> bytes:
    return b'{"idToken":"%b","type":"ISO14443"}' % card.encode()
