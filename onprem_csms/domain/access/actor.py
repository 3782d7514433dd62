"""Who acts: given with each write by whatever the action came through."""

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["operator", "api_key", "driver", "charger", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts.

    ``id`` is an operator's, an API key's, a card's or a charger's; ``channel`` is how they came (``page``, ``api``,
    ``command line``), ``address`` from which network address.
    """

    kind: ActorKind
    name: str
    id: str = ""
    role: str = ""
    channel: str = ""
    address: str = ""

    @property
    def label(self) -> str:
        """The name that records show: an operator's alone, others with what they are."""
        prefix = {"api_key": "api:", "driver": "driver:", "charger": "charger:"}.get(self.kind, "")
        return prefix + self.name

    @property
    def is_staff(self) -> bool:
        """Tell whether an operator acts, or a program on an operator's behalf."""
        return self.kind in {"operator", "api_key"}


SYSTEM = Actor("system", "system")
