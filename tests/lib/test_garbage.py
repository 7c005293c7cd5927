import gc

import pytest

from leadscenter.lib.garbage import collected_later


def _fail_in_it() -> None:
    with collected_later():
        assert not gc.isenabled()
        raise KeyError


def test_the_search_is_off_for_as_long_as_it_takes_and_on_again_after_an_error() -> None:
    with pytest.raises(KeyError):
        _fail_in_it()
    assert gc.isenabled()


def test_whoever_switched_it_off_has_it_off_afterwards() -> None:
    with collected_later():
        with collected_later():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
