"""What can go wrong with invoices and their documents."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, DomainError, NotFound


class InvoiceNotFound(NotFound):
    """There is no such invoice, or it is another company's."""

    code = "invoice_not_found"
    message = _("There is no invoice %(number)s.")

    def __init__(self, *, number: str) -> None:
        super().__init__(number=number)


class BuyerUnknown(Conflict):
    """An invoice needs the buyer's registered name and credit code."""

    code = "buyer_unknown"
    message = _("%(company)s has no unified social credit code. Enter it before issuing an invoice.")

    def __init__(self, *, company: str) -> None:
        super().__init__(company=company)


class TaxRateMissing(Conflict):
    """No rate of this tax category was in force that day."""

    code = "tax_rate_missing"
    message = _("No tax rate of “%(category)s” is in force on %(day)s. Enter it in the catalogue.")

    def __init__(self, *, category: str, day: str) -> None:
        super().__init__(category=category, day=day)


class DocumentNotReady(Conflict):
    """The invoice is issued; its file is still being made."""

    code = "document_not_ready"
    message = _("The file of invoice %(number)s is being made. Try again in a minute.")

    def __init__(self, *, number: str) -> None:
        super().__init__(number=number)


class DocumentDamaged(DomainError):
    """The stored file is missing or is not the one that was issued. Nobody may be served another."""

    status = 500
    code = "document_damaged"
    message = _("The stored file of invoice %(number)s does not match its record. Tell the platform.")

    def __init__(self, *, number: str) -> None:
        super().__init__(number=number)


class RenderingFailed(DomainError):
    """The page could not be made into a PDF within its limits."""

    status = 500
    code = "rendering_failed"
    message = _("The PDF of %(name)s could not be made. The invoice keeps its number; run it again.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class PdfLibraryMissing(RenderingFailed):
    """WeasyPrint or the Pango libraries that it needs are not installed."""

    code = "pdf_library_missing"
    message = _(
        "The PDF of %(name)s could not be made: install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0, "
        "then run it again."
    )


class ChineseFontMissing(RenderingFailed):
    """Noto Sans CJK SC is not installed; any other font would print wrong or empty characters."""

    code = "chinese_font_missing"
    message = _(
        "The PDF of %(name)s could not be made: install the font package fonts-noto-cjk, then run it again."
    )
