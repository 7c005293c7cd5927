"""The permission table on every way in that exists. The cells come from the resolver: a new route is covered at once.

What a route declares says which right it needs; the table below, written out and not taken from the code, says who
holds that right in which moment of a transfer. Held: the request passes. Not held: 403 for who belongs, with the
permission and who can help; 404 for who does not; 401 or the sign-in page for nobody. Whoever is refused has changed
nothing and learns no datum, no id and no count of the other side.
"""

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management import get_commands
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, path
from django.urls.resolvers import RegexPattern
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Can
from accounts.declarations import PUBLIC, signed_in
from accounts.models import User
from accounts.services.tokens import create_token
from accounts.staff_site import StaffAdmin, StaffSite
from leadscenter.celery import app
from tests.security import routes as ways
from tests.security.routes import Route, admin_actions, commands, routes, tasks, undeclared_routes
from tests.security.scene import CANARY, LEADS, NOTE, STATES, Scene, fingerprint, make_scene

# ---- who holds what --------------------------------------------------------------------------------------------------

BELONG_ACCOUNT, BELONG_LIBRARY = frozenset({Can.BELONG_ADACCOUNT}), frozenset({Can.BELONG_LIBRARY})
SEE = BELONG_ACCOUNT | {Can.VIEW_CAMPAIGNS, Can.VIEW_FORMS}
EDIT = SEE | {Can.EDIT_CAMPAIGNS, Can.EDIT_FORMS}
LEAD_RIGHTS = frozenset(
    {
        Can.VIEW_LEADS,
        Can.WORK_LEADS,
        Can.DOWNLOAD_LEADS,
        Can.DELETE_LEADS,
        Can.CONNECT_CRM,
        Can.MANAGE_PRIVACY,
        Can.VIEW_TRAIL,
        Can.HAND_OVER,
    }
)
SHARED = frozenset({Can.VIEW_LEADS, Can.WORK_LEADS, Can.DOWNLOAD_LEADS, Can.DELETE_LEADS})
NOTHING: frozenset[Can] = frozenset()
Pair = tuple[frozenset[Can], frozenset[Can]]  # (on the ad account, on its library)
NOBODY: Pair = (NOTHING, NOTHING)
HELD: dict[str, dict[str, Pair]] = {
    "T0": {
        "agy_admin": (EDIT | {Can.MANAGE_MEMBERS}, BELONG_LIBRARY | LEAD_RIGHTS),
        "agy_operator": (EDIT, BELONG_LIBRARY),
        "agy_analyst": (SEE, BELONG_LIBRARY),
        "owner_bc_admin": (BELONG_ACCOUNT | {Can.MANAGE_MEMBERS}, BELONG_LIBRARY),
        "bc_admin": NOBODY,
        "bc_standard": NOBODY,
        "partner": (EDIT, BELONG_LIBRARY),  # the account is shared with them at Operator
        "partner_leads": (EDIT, BELONG_LIBRARY | SHARED),  # and with these at Administrator, leads too
    }
}
HELD["TP"] = HELD["T0"]  # asking moves nothing
HELD["T1"] = HELD["T0"] | {
    "agy_admin": (EDIT | {Can.MANAGE_MEMBERS}, BELONG_LIBRARY),
    "bc_admin": (BELONG_ACCOUNT | {Can.VIEW_FORMS}, BELONG_LIBRARY | LEAD_RIGHTS),
    "bc_standard": (BELONG_ACCOUNT, BELONG_LIBRARY),
    "partner_leads": (EDIT, BELONG_LIBRARY),  # "leads too" ended with the custody in which it was given
}
STRANGERS = ("other", "former", "staff")
NOT_SIGNED_IN = ("anonymous", "inactive")
ACTORS = (*HELD["T0"], *STRANGERS, *NOT_SIGNED_IN)
# People of one's own side; of the other side the company alone.
WHO_HELPS = {
    "agency": {"Ada", "Boss", "Client", "Petra and friends"},
    "client": {"Clio", "Agency"},
    "partner": {"Petra", "Lena", "Agency", "Client"},
}

# Routes about transfers ask who is a party, and those about one's own things whose they are: by name and method,
# what each actor gets; "*" is everybody who is signed in and not named.
OWN_SIDE = ("agy_admin", "agy_operator", "agy_analyst", "owner_bc_admin")
PARTIES = (*OWN_SIDE, "bc_admin", "bc_standard", "partner", "partner_leads")
ANSWER: dict[str, int | str] = {**dict.fromkeys(PARTIES, 403), "bc_admin": "ok", "*": 404}
CANCEL_BEFORE: dict[str, int | str] = {**dict.fromkeys(PARTIES, 403), "agy_admin": "ok", "*": 404}
# Who asked is told that it is decided; the custodian could cancel, were it not.
CANCEL_AFTER: dict[str, int | str] = {**dict.fromkeys(PARTIES, 403), "bc_admin": "ok", "agy_admin": "ok", "*": 404}
SEEN: dict[str, int | str] = {**dict.fromkeys(PARTIES, "ok"), "*": 404}
SAME = ("T0", "TP", "T1")
TRANSFERS: dict[str, dict[str, dict[str, int | str]]] = {
    "api_transfer": dict.fromkeys(SAME, SEEN),
    "api_transfer_accept": dict.fromkeys(SAME, ANSWER),
    "api_transfer_reject": dict.fromkeys(SAME, ANSWER),
    "transfer_page": dict.fromkeys(SAME, SEEN),
    "transfer_answer": dict.fromkeys(SAME, SEEN),  # asks for the typed name first: a page that says so
    "api_transfer_cancel": {"T0": CANCEL_BEFORE, "TP": CANCEL_BEFORE, "T1": CANCEL_AFTER},
}
TERMS: dict[str, int | str] = {"owner_bc_admin": "ok", "*": 404}
# Who holds the leads alone knows of the account, not of the agency's staff.
STAFF_LIST: dict[str, int | str] = {
    **dict.fromkeys((*OWN_SIDE, "partner", "partner_leads"), "ok"),  # a partner's people see their own alone
    "*": 404,
}
STAFF_LIST_AFTER: dict[str, int | str] = {**STAFF_LIST, "bc_admin": 403, "bc_standard": 403}
GIVE_ROLES: dict[str, int | str] = {
    **STAFF_LIST,
    **dict.fromkeys(("agy_operator", "agy_analyst", "partner", "partner_leads"), 403),
}
GIVE_ROLES_AFTER: dict[str, int | str] = {**GIVE_ROLES, "bc_admin": 403, "bc_standard": 403}
# A share is known to both its sides; a partner gives roles to its own people, and nobody else does.
SHARE_SEEN: dict[str, int | str] = {**dict.fromkeys((*OWN_SIDE, "partner"), "ok"), "*": 404}
SHARE_CHANGED: dict[str, int | str] = {**SHARE_SEEN, "agy_operator": 403, "agy_analyst": 403}
SHARE_PEOPLE: dict[str, int | str] = {**dict.fromkeys(OWN_SIDE, 403), "partner": "ok", "*": 404}
# A view is its maker's; to others who may view leads it is not there.
VIEW_OF_AGENCY: dict[str, int | str] = {
    **dict.fromkeys((*OWN_SIDE, "partner"), 403),
    "agy_admin": "ok",
    "*": 404,
}
VIEW_OF_CLIENT: dict[str, int | str] = {**dict.fromkeys(PARTIES, 403), "bc_admin": "ok", "*": 404}
VIEW = {"T0": VIEW_OF_AGENCY, "TP": VIEW_OF_AGENCY, "T1": VIEW_OF_CLIENT}
# A note is taken back by who wrote it; a partner who works on the leads reads it and finds no own one.
NOTE_OF_AGENCY: dict[str, int | str] = {**VIEW_OF_AGENCY, "partner_leads": 404}
OWN_NOTE = {"T0": NOTE_OF_AGENCY, "TP": NOTE_OF_AGENCY, "T1": VIEW_OF_CLIENT}
SPECIAL: dict[str, dict[str, dict[str, int | str]]] = {
    **TRANSFERS,
    **dict.fromkeys(("api_view", "saved_view"), VIEW),
    "api_lead_note": OWN_NOTE,
    "session_end": {state: {"*": 404} for state in SAME},  # each has their own; the number in the scene is nobody's
    "token_revoke": {state: {"agy_admin": "ok", "*": 404} for state in SAME},
    "api_business_center": dict.fromkeys(SAME, TERMS),
    "POST terms": dict.fromkeys(SAME, TERMS),
    "POST access_ask": dict.fromkeys(SAME, TERMS),
    "GET api_share": dict.fromkeys(SAME, SHARE_SEEN),
    "GET api_share_people": dict.fromkeys(SAME, SHARE_SEEN),
    **dict.fromkeys(("share", "api_share"), dict.fromkeys(SAME, SHARE_CHANGED)),
    **dict.fromkeys(("share_person", "POST api_share_people"), dict.fromkeys(SAME, SHARE_PEOPLE)),
    "invitation_revoke": {"T0": GIVE_ROLES, "TP": GIVE_ROLES, "T1": GIVE_ROLES_AFTER},
    "api_invitation": {"T0": GIVE_ROLES, "TP": GIVE_ROLES, "T1": GIVE_ROLES_AFTER},
    "GET api_members": {"T0": STAFF_LIST, "TP": STAFF_LIST, "T1": STAFF_LIST_AFTER},
    "GET members": {"T0": STAFF_LIST, "TP": STAFF_LIST, "T1": STAFF_LIST_AFTER},
    "POST members": {"T0": GIVE_ROLES, "TP": GIVE_ROLES, "T1": GIVE_ROLES_AFTER},
}
# The gallery of components is for staff, and for everybody while DEBUG is on.
GALLERY: dict[str, int | str] = {"staff": "ok", "*": 404}

BODIES: dict[str, dict[str, Any]] = {
    "api_account_forms": {"name": "Made in the matrix"},
    "api_form": {"name": "Changed in the matrix"},
    "api_lead": {"status": "qualified"},
    "api_lead_contacted": {"how": "call"},
    "api_lead_follow_up": {"due_at": "2100-01-01T00:00:00Z"},
    "api_lead_notes": {"text": "written in the matrix"},
    "api_members": {"email": "olaf@house.test", "role": "administrator"},
    "api_member": {"role": "administrator"},
    "api_library": {"retention_days": 30},
}


def expected(route: Route, actor: str, scene: Scene) -> int | str:
    """Return "ok", "login", 401, 403 or 404."""
    declares = route.declares
    assert declares is not None
    if route.name == "design":
        return GALLERY.get(actor, GALLERY["*"])
    if declares.kind == "public":
        bad_token = actor == "inactive" and route.name in ("api_schema", "api_docs")
        return 401 if bad_token else "ok"  # a token that is sent must be good, even where none is needed
    if actor in NOT_SIGNED_IN:
        return "login" if route.kind == "page" else 401
    special = SPECIAL.get(f"{route.method} {route.name}", SPECIAL.get(route.name))
    if special is not None:
        here = special[scene.state]
        return here.get(actor, here["*"])
    if "business_center_id" in route.arguments:
        return TERMS.get(actor, TERMS["*"])
    if declares.kind != "allows":
        return "ok"
    assert declares.can is not None
    on_account, on_library = HELD[scene.state].get(actor, NOBODY)
    held = on_library if declares.can in LEAD_RIGHTS | BELONG_LIBRARY else on_account
    if declares.can in held:
        return "ok"
    return 403 if held else 404


# ---- asking ----------------------------------------------------------------------------------------------------------


def address(route: Route, scene: Scene) -> str:
    """Return the route's path with the agency's own things in it."""
    text = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", route.pattern.replace("^", "").replace("$", ""))
    ids = {**scene.ids, **scene.other_ids.get(route.name, {})}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found[1]]), text).replace(".*/", "nothing/")


def client_for(route: Route, actor: str, scene: Scene) -> Client:
    """Return the actor's client: a token for the APIs, a session for pages; the same one each time."""
    if (actor, route.kind) in scene.clients:
        return scene.clients[actor, route.kind]
    token, user = scene.tokens.get(actor), scene.actors[actor]
    headers = {}
    if token and route.kind != "page":
        headers = {"Access-Token": token} if route.kind == "marketing" else {"Authorization": f"Bearer {token}"}
    client = scene.clients[actor, route.kind] = Client(headers=headers)
    if user is not None and route.kind == "page":
        client.force_login(user)
    return client


def ask(route: Route, actor: str, scene: Scene) -> Any:
    """Send the request as the actor, with a body that the route would take where we know one."""
    client, where = client_for(route, actor, scene), address(route, scene)
    if route.kind == "marketing":
        given = {"advertiser_id": str(scene.ids["ad_account_id"]), "page_id": str(scene.ids["form_id"])}
        if "task" in route.pattern:
            given["task_id"] = str(scene.ids["export_id"])
        if "mock/delete" in route.pattern:
            given["lead_id"] = str(scene.ids["lead_id"])
        if "transfer" in route.pattern:
            given["bc_id"] = str(scene.world.client.pk)
        if route.method == "GET":
            return client.get(where, given)
        return client.generic(route.method, where, json.dumps(given), content_type="application/json")
    if route.kind == "page":
        return client.get(where) if route.method == "GET" else client.post(where, fields(scene))
    body = BODIES.get(route.name, {})
    if route.name.endswith("transfers"):
        body = {"business_center_id": str(scene.world.client.pk)}
    if route.method == "GET":
        return client.get(where)
    return client.generic(route.method, where, json.dumps(body), content_type="application/json")


def fields(scene: Scene) -> dict[str, Any]:
    """What pages are posted: enough to come past what they read before they ask, were there any such."""
    return {
        "role": "administrator",
        "email": "olaf@house.test",
        "business_center": str(scene.ids["business_center_id"]),
        "ids": [str(scene.ids["lead_id"])],
        "status": "qualified",
        "text": "written in the matrix",
        "q": "zedekiah",
    }


def outcome(route: Route, answer: Any) -> int | str:
    """Return in the words of `expected` what came back."""
    said: dict[int, int | str] = {40001: "refused", 40104: 401, 40105: 401}
    if route.kind == "marketing" and answer["Content-Type"] == "application/json":
        assert answer.status_code == 200
        code = answer.json()["code"]
        return said.get(code, "ok")
    if answer.status_code == 302 and answer["Location"].startswith("/login/"):
        return "login"
    if answer.status_code in (200, 201, 202, 204, 302, 400, 409):
        return "ok"
    return int(answer.status_code)  # 405: a page that takes the other method alone says so to everybody


def matches(route: Route, wanted: int | str, found: int | str) -> bool:
    if route.kind == "marketing" and wanted in (403, 404):
        return found == "refused"
    return found in (wanted, 405)


def told(answer: Any) -> str:
    """Return everything that the answer says, headers included."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{headers}\n{body.decode()}"


def visible_text(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style|svg).*?</\1>", " ", text, flags=re.DOTALL)))


def leaks(route: Route, scene: Scene, actor: str, text: str) -> list[str]:
    """Return what an answer that refuses should not hold. What the asker put into the address they know."""
    own = scene.other_ids.get(route.name, {})
    known = {str(value) for value in (*scene.ids.values(), *own.values())}
    found = [secret for secret in scene.secrets() - known if secret.lower() in text.lower()]
    if re.search(rf"(?<![\w.:/-])({LEADS}|{LEADS - 1})(?![\w.:/-])", visible_text(text)):
        found.append(f"the number of leads, {LEADS}")
    if expected(route, actor, scene) in (404, 401, "login"):
        found += [name for name in scene.names_of_the_account() if name in text]
    return found


def names_what_is_missing(route: Route, actor: str, answer: Any) -> str:
    """Return what a 403 fails to say: the permission, and somebody of one's own side who can help."""
    if route.kind == "marketing":
        return "" if answer.json()["message"] else "no reason"
    text = html.unescape(answer.content.decode())
    side = "client" if actor.startswith("bc_") else "partner" if actor.startswith("partner") else "agency"
    helpers = WHO_HELPS[side]
    if route.kind == "api":
        body = answer.json()
        if not (body.get("reason") and body.get("missing_permission") and body.get("who_can_help")):
            return f"says only {body}"
        return "" if set(body["who_can_help"]) <= helpers else f"names {body['who_can_help']}"
    if "missing permission" not in text:
        return "does not name the permission"
    return "" if any(name in text for name in helpers) else "names nobody who can help"


# Every actor in every state on one SQLite database. Rights do not depend on the database, so the other suites take the
# agency and the client before and after: what a cell asks of rows and of the vault is seen there too.
WHOLE = not settings.ON_POSTGRES and set(settings.VAULT_ALIASES.values()) == {"default"}
SAMPLE = [("T0", "agy_admin"), ("T0", "agy_operator"), ("TP", "bc_admin"), ("T1", "agy_admin"), ("T1", "bc_admin")]
CELLS = [(state, actor) for state in STATES for actor in ACTORS] if WHOLE else SAMPLE
NAME = "cells of the permission matrix" if WHOLE else "cells of a sample of the permission matrix"


@pytest.fixture(params=CELLS, ids="-".join)
def cell(request: pytest.FixtureRequest, db: None) -> tuple[Scene, str]:
    state, actor = request.param
    return make_scene(state), actor


def tried(scene: Scene, actor: str, found: list[Route]) -> list[str]:
    """Ask each route and return what is wrong, one line each."""
    wrong = []
    for route in found:
        wanted = expected(route, actor, scene)
        with transaction.atomic():
            answer = ask(route, actor, scene)
            text = told(answer)
            got = outcome(route, answer)
            if wanted == "ok":
                transaction.set_rollback(True)
        if not matches(route, wanted, got):
            wrong.append(f"{route}: {got} and not {wanted}")
            continue
        if got == 405:
            continue
        if wanted != "ok":
            wrong += [f"{route}: tells {leak!r}" for leak in leaks(route, scene, actor, text)]
        if wanted == 403 and (missing := names_what_is_missing(route, actor, answer)):
            wrong.append(f"{route}: {missing}")
    return wrong


def test_every_route_does_what_the_table_says(
    cell: tuple[Scene, str], record_property: Callable[[str, object], None]
) -> None:
    scene, actor = cell
    every = [route for route in routes() if not route.name.startswith(("account_", "mfa_"))]
    refused = [route for route in every if expected(route, actor, scene) != "ok"]
    client_for(next(route for route in every if route.kind == "page"), actor, scene)  # signing in is no act of a route
    before = fingerprint()
    wrong = tried(scene, actor, refused)
    after = fingerprint()
    assert not wrong, "\n".join(wrong)
    assert {table for table in before if before[table] != after[table]} == set()
    wrong = tried(scene, actor, [route for route in every if route not in refused])
    assert not wrong, "\n".join(wrong)
    record_property(NAME, len(every))
    record_property("refusals among them, with every table unchanged", len(refused))


def test_session_opens_no_more_of_the_api_than_a_token(
    cell: tuple[Scene, str], record_property: Callable[[str, object], None]
) -> None:
    scene, actor = cell
    client, user = Client(), scene.actors[actor]
    if user is not None:
        client.force_login(user)
    scene.clients[actor, "api"] = client
    found = [
        route
        for route in routes()
        if route.kind == "api" and route.declares != PUBLIC and expected(route, actor, scene) != "ok"
    ]
    before = fingerprint()
    wrong = tried(scene, actor, found)
    assert not wrong, "\n".join(wrong)
    assert fingerprint() == before
    record_property(NAME, len(found))
    record_property("refusals among them, with every table unchanged", len(found))


def test_token_of_one_scope_opens_what_the_scope_names_and_nothing_else(db: None) -> None:
    """What may be done with a token is the smaller of what its person may and what it is for."""
    scene = make_scene("T0")
    administrator = scene.world.administrator
    raw = create_token(user=administrator, name="forms", scopes=["forms:read"])[1]
    scene.tokens["agy_admin"] = raw
    before = fingerprint()
    opened: dict[Can, list[str]] = {}
    for route in routes():
        can = route.declares.can if route.declares else None
        if route.kind == "page" or can is None or can in BELONG_ACCOUNT | BELONG_LIBRARY:
            continue
        answer = ask(route, "agy_admin", scene)
        if route.kind == "marketing":
            narrow = answer["Content-Type"] == "application/json" and answer.json()["code"] == 40130
        else:
            narrow = answer.status_code == 403 and "scope" in answer.json()["detail"]
        if not narrow:
            opened.setdefault(can, []).append(f"{route}: {told(answer)}")
    # Without leads:read a lead's row is told without what the person answered.
    assert set(opened) == {Can.VIEW_FORMS, Can.VIEW_LEADS}
    for text in opened[Can.VIEW_LEADS]:
        for secret in (CANARY, "zedekiah", "quux.example", "99988877", "canary wish", NOTE):
            assert secret not in text, (secret, text)
    assert fingerprint() == before


def test_table_has_a_cell_for_every_right(db: None) -> None:
    """No right is left out: each is needed by at least one route and held by at least one person."""
    needed = {route.declares.can for route in routes() if route.declares and route.declares.can}
    held = {can for state in HELD.values() for pair in state.values() for side in pair for can in side}
    assert needed == held == set(Can)


def test_canary_is_there_for_who_may_see_it(db: None) -> None:
    """The search of the cells above can find: the Administrator's answers do hold what the others' do not."""
    scene = make_scene("T0")
    route = next(route for route in routes() if route.name == "api_leads" or route.pattern.endswith("/leads/"))
    text = told(ask(route, "agy_admin", scene))
    assert leaks(route, scene, "agy_admin", text)


# ---- completeness ----------------------------------------------------------------------------------------------------

ADMIN_ACTIONS = {
    "BusinessCenter": {"deactivate", "invite_again"},
    "User": {"deactivate"},
    "Connection": {"pause"},
    "Delivery": {"requeue"},
}
COMMANDS = {
    "check_permissions": "compares rows with memberships; --repair derives them, which gives nobody more than a role",
    "create_api_token": "a token of a person, never more than the person may; recorded in the platform's trail",
    "deliver_due": "sends what is due, to connections of the current custody",
    "doctor": "reads only",
    "purge_expired": "what the retention says",
    "recover_bc": "recorded, mailed to all members, effective after 72 hours",
    "rotate_keys": "wraps keys anew, opens nothing",
    "switch_on": "gives an account that was switched off back to who has its password; recorded",
    "seed_demo": "only while DEBUG is on",
    "verify_audit": "reads only",
}
TASKS = {
    "accounts.expire_transfers": "closes what nobody answered",
    "accounts.mail_asks": "writes to who may hand over that somebody asks",
    "accounts.recover": "ends a waiting period",
    "accounts.seal_trail": "seals, opens nothing",
    "forms_builder.roll_up_measures": "counts, no person",
    "intake.sweep_arriving": "finishes or removes what a crash left",
    "leads.crm.drain": "asks custody before each call: test_transfer",
    "leads.mail_heads": "verifies, signs and mails hashes and counts to who may read the trail",
    "leads.mail_notifications": "asks right and custody for each mail: test_telling",
    "leads.mark_downloaded": "writes a time on leads of files that were fetched, opens nothing",
    "leads.purge_expired": "what the retention says",
    "leads.expire_exports": "deletes files that have expired or were made before a transfer",
    "leads.expire_imports": "deletes files that have expired or came before a transfer",
    "leads.run_imports": "asks right and custody for each batch, under the library's lock: tests/imports",
    "leads.run_exports": "asks right and custody for each chunk: test_transfer_jobs",
    "leads.find_duplicates": "compares digests, opens nothing",
    "leads.walk_attention": "writes when leads need somebody, reads no answer",
    "leads.tell": "tells ids and counts to who holds the right, opens nothing",
    "leads.warn_of_expiry": "tells counts to who holds the right, opens nothing",
    "leads.watch_reading": "reads the trail, which names no lead's data; mails who may read it",
    "vault.make_keys": "makes keys, opens nothing",
}


def test_every_route_declares_who_may_use_it() -> None:
    assert len(routes()) > 150
    assert undeclared_routes() == []


def test_every_admin_action_command_and_task_is_known() -> None:
    assert {model: actions for model, actions in admin_actions().items() if actions} == ADMIN_ACTIONS
    assert commands() == set(COMMANDS)
    assert tasks() == set(TASKS)


def bare_page(request: Any) -> HttpResponse:
    return HttpResponse("anything")


def said_page(request: Any) -> HttpResponse:
    return HttpResponse("mine")


class BareView(APIView):
    def get(self, request: Any) -> Response:
        return Response()


class HalfView(APIView):
    can_get = Can.VIEW_LEADS

    def get(self, request: Any) -> Response:
        return Response()

    def delete(self, request: Any) -> Response:
        return Response()


def test_undeclared_page_is_named() -> None:
    resolver = URLResolver(RegexPattern(r"^"), [path("bare/", bare_page), path("said/", signed_in(said_page))])
    assert undeclared_routes(resolver) == ["GET /bare/", "POST /bare/"]


def test_undeclared_api_method_is_named() -> None:
    resolver = URLResolver(RegexPattern(r"^"), [path("bare/", BareView.as_view()), path("half/", HalfView.as_view())])
    assert undeclared_routes(resolver) == ["GET /bare/", "DELETE /half/"]


def test_undeclared_api_view_is_denied_even_to_an_administrator(db: None, settings: Any) -> None:
    scene = make_scene("T0")
    request: Any = type("Request", (), {"user": scene.world.administrator, "method": "GET", "auth": None})()
    assert BareView.permission_classes[0]().has_permission(request, BareView()) is False


def test_unknown_admin_action_is_named() -> None:
    class Eager(StaffAdmin):
        actions = ("export_everything",)

        def export_everything(self, request: Any, queryset: Any) -> None: ...

    own = StaffSite(name="own")
    own.register(User, Eager)
    assert admin_actions(own) == {"User": {"export_everything"}}
    everywhere = admin.AdminSite(name="plain")
    everywhere.register(User)
    assert admin_actions(everywhere) == {"User": {"delete_selected"}}


def test_unknown_command_and_task_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = get_commands()
    monkeypatch.setattr(ways, "get_commands", lambda: {**known, "dump_leads": "leads"})
    assert commands() - set(COMMANDS) == {"dump_leads"}

    def dump() -> None: ...

    task = app.task(name="leads.dump", ignore_result=True)(dump)
    try:
        assert tasks() - set(TASKS) == {"leads.dump"}
    finally:
        app.tasks.pop(task.name)
