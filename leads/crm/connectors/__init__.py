"""One module per kind of receiver; `connector_of` finds it. A connector opens nothing and dials nothing."""

from leads.crm.connectors.connector import Connector
from leads.crm.connectors.hubspot import HUBSPOT
from leads.crm.connectors.webhook import WEBHOOK

CONNECTORS: dict[str, Connector] = {connector.kind: connector for connector in (WEBHOOK, HUBSPOT)}


def connector_of(kind: str) -> Connector:
    """The connector of a connection's kind. Raises `KeyError` for a kind that does not exist."""
    return CONNECTORS[kind]
