"""The tick that links duplicates: leads that have come since the last one, in the order of their ids.

Not at intake, which reads nothing before it answers. The place is an id and lives in the cache; it stays six seconds
behind now, since a submission may commit five seconds after its id was made. Where the place was lost the last day is
read again: linking twice changes nothing.
"""

import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from leads.duplicates import link_duplicates
from leads.models import Lead
from leadscenter.lib.ids import id_at

PLACE = "leads.find_duplicates"
BEHIND = timedelta(seconds=6)
LOOKED_BACK = timedelta(hours=24)
BATCH = 1000
SECONDS = 10.0


def find_duplicates() -> int:
    """Go on from where the last tick ended, for 10 seconds at most; return how many leads were linked."""
    until, ends, linked = id_at(datetime.now(UTC) - BEHIND), time.monotonic() + SECONDS, 0
    place: int = cache.get(PLACE) or id_at(datetime.now(UTC) - LOOKED_BACK)
    while place < until and time.monotonic() < ends:
        place, changed = find_stretch(place, until)
        linked += changed
        cache.set(PLACE, place, timeout=None)
    return linked


def find_stretch(after: int, until: int) -> tuple[int, int]:
    """Link the next leads with ids above `after`, up to `until`; return the place reached and how many changed."""
    rows = Lead.objects.filter(pk__gt=after, pk__lte=until).order_by("pk").values_list("pk", "library_id")
    found = list(rows[:BATCH])
    by_library: dict[int, list[int]] = defaultdict(list)
    for lead_id, library_id in found:
        by_library[library_id].append(lead_id)
    changed = sum(link_duplicates(library_id, ids) for library_id, ids in by_library.items())
    return (until if len(found) < BATCH else found[-1][0]), changed
