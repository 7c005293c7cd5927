"""When Python looks for objects that hold each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Make many objects without that search, for work of less than a second.

    Python searches each time that some hundred objects more are alive, and again and again through all of them: where
    thousands of rows and their values are held at once, that takes longer than making them. What nobody holds any more
    is given back as ever, at once; only rings of objects stay until the search is on again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
