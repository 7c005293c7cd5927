"""The sealed model field: django-cryptography's mixin with its pickle cipher replaced. It seals; it cannot open."""

from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django_cryptography.fields import EncryptedMixin

from leads.vault.sealing import seal
from leads.vault.values import Plain, Sealed, SealName
from leadscenter.lib.envelope import key_id_of


class SealedAttribute(DeferredAttribute):
    """Reading the attribute gives `Sealed` with its owner, never the value."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, bytes | memoryview):
            field: Any = self.field
            return Sealed(field.seal_name, instance.owner, bytes(value))
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        """Make this a data descriptor: without it the bytes in the row's dictionary would win over `__get__`."""
        instance.__dict__[self.field.attname] = value


class SealedField(EncryptedMixin, models.BinaryField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A JSON value, sealed for its row. Assign `Plain(value)` and save; read `Sealed`; open it by `opening.open`.

    The model has a property `owner`. Writing anything but a sealed record around the field (`update()`,
    `bulk_update()`) fails closed with `TypeError`.
    """

    base_class = models.BinaryField
    wasinstance = False
    descriptor_class = SealedAttribute

    def __init__(self, *args: Any, seal_name: SealName = "answers/1", **kwargs: Any) -> None:
        self.seal_name = seal_name
        super().__init__(*args, **kwargs)
        del self._fernet  # the value cipher of the mixin is not used: it pickles and binds no row

    def deconstruct(self) -> Any:
        """Name ourselves in migrations."""
        name, _path, args, kwargs = models.BinaryField.deconstruct(self)
        return name, "leads.vault.fields.SealedField", args, {**kwargs, "seal_name": self.seal_name}

    def clone(self) -> Any:
        """Copy by the constructor, as Django's own fields do."""
        _name, _path, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Seal a plain value with the newest key of its library, region and month."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, Plain):
            record = seal(self.seal_name, model_instance.owner, value.value)
            setattr(model_instance, self.attname, record)
            return record
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Let nothing but a sealed record through."""
        if value is None:
            return None
        record = value.record if isinstance(value, Sealed) else value
        if not isinstance(record, bytes):
            raise TypeError(f"{self.name} takes sealed records only; assign Plain(…) and save the row")
        key_id_of(record)
        return record

    def _dump(self, value: Any) -> bytes:
        record: bytes = self.get_prep_value(value)
        return record

    def _load(self, value: bytes) -> bytes:
        return value
