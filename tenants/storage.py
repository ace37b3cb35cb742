"""Files: one folder a schema, never served by address; a view that knows who asks reads them."""

from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile, File
from django_tenants.files.storage import TenantFileSystemStorage

from tenants.crypto import decrypt_bytes, encrypt_bytes
from tenants.db import connection


class CompanyStorage(TenantFileSystemStorage):
    """The file system below MEDIA_ROOT/<schema>."""

    @property
    def relative_media_root(self) -> str:
        """Read anew each time: the library keeps the first it saw, whatever MEDIA_ROOT is set to later."""
        return str(Path(settings.MEDIA_ROOT) / settings.MULTITENANT_RELATIVE_MEDIA_ROOT)


class SealedStorage(CompanyStorage):
    """Files that hold personal data: encrypted for the company that writes them."""

    def _save(self, name: str, content: File) -> str:
        sealed = encrypt_bytes(content.read(), schema=connection.schema_name, purpose="file")
        return super()._save(name, ContentFile(sealed))

    def _open(self, name: str, mode: str = "rb") -> File:
        with super()._open(name, "rb") as stored:
            return File(
                BytesIO(decrypt_bytes(stored.read(), schema=connection.schema_name, purpose="file")),
                name=name,
            )
