from io import StringIO

from django.core.management import call_command

from leads.crm.tasks import drain
from leads.models import Delivery
from tests.crm.world import World
from tests.fakes.sink import FAIL, Sink


def told() -> str:
    out = StringIO()
    call_command("deliver_due", stdout=out)
    return out.getvalue()


def test_the_command_sends_what_is_due_and_says_what_came_of_it(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    world.leads(3)
    sink.script([FAIL])
    assert told() == "3 attempts, 2 accepted\n"
    assert told() == "0 attempts, 0 accepted\n"


def test_the_tick_sends_what_is_due(world: World, sink: Sink) -> None:
    world.webhook(sink.url)
    world.leads(2)
    drain.apply(throw=True)
    assert Delivery.objects.filter(state=Delivery.State.DONE).count() == 2
