"""Return codes of TikTok's Marketing API v1.3 that this one uses (official SDK, `tiktok_code.py`)."""

from dataclasses import dataclass
from enum import IntEnum


class Code(IntEnum):
    """HTTP is 200 whatever happens; the code decides."""

    OK = 0
    PERMISSION_ERROR = 40001
    PARAM_ERROR = 40002
    NOT_EXIST = 40007
    NOT_IMPLEMENTED = 40008
    TOO_FREQUENT = 40100
    EMPTY_ACCESS_TOKEN = 40104
    INVALID_ACCESS_TOKEN = 40105
    METHOD_FORBIDDEN = 40117
    SCOPE_NOT_AUTHORIZED = 40130
    GENERAL_TASK_ERROR = 40200
    TASK_NOT_READY = 40201
    WRITE_CONFLICT = 40202
    ROUTE_NOT_FOUND = 40400
    FILE_NOT_EXIST = 40905
    FILE_EXPIRED = 40910


@dataclass(eq=False)
class Failed(Exception):
    """The call ends with this code; nothing was written."""

    code: Code
    message: str

    def __str__(self) -> str:
        return self.message
