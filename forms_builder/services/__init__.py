from forms_builder.services.archiving import archive, delete_form, restore
from forms_builder.services.drafts import create_form, duplicate, save_draft
from forms_builder.services.publishing import approve, publish, reject

__all__ = [
    "approve",
    "archive",
    "create_form",
    "delete_form",
    "duplicate",
    "publish",
    "reject",
    "restore",
    "save_draft",
]
