import pytest

from accounts.models import AccountRole, User
from accounts.services.shares import set_leads_too
from tests.security.scene import lend
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def partner(world: World) -> User:
    """Who runs a company to which the ad account was lent, leads too."""
    share = lend(world, "Lena", AccountRole.ADMINISTRATOR)
    set_leads_too(actor=world.administrator, share=share, leads_too=True)
    return share.partner.members.get().user
