"""What can go wrong with deliveries, attempts and card codes."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, DomainError, Forbidden, Invalid, Malformed, NotFound


class SupplierNotFound(NotFound):
    """No supplier has this slug."""

    code = "supplier_not_found"
    message = _("There is no supplier “%(slug)s”. Check its short name.")

    def __init__(self, *, slug: str) -> None:
        super().__init__(slug=slug)


class SupplierExists(Conflict):
    """The short name is taken."""

    code = "supplier_exists"
    message = _("There is a supplier “%(slug)s” already. Choose another short name.")

    def __init__(self, *, slug: str) -> None:
        super().__init__(slug=slug)


class SupplierMisconfigured(Invalid):
    """A supplier's address or credentials cannot be used."""

    code = "supplier_misconfigured"
    message = _("The supplier “%(slug)s” cannot be used: %(problem)s")

    def __init__(self, *, slug: str, problem: str) -> None:
        super().__init__(slug=slug, problem=problem)


class CallbackForged(Forbidden):
    """A callback whose signature is missing or wrong."""

    code = "callback_forged"
    message = _("The signature is missing or wrong.")


class CallbackUnreadable(Malformed):
    """A callback whose signature is right and whose content cannot be read."""

    code = "callback_unreadable"
    message = _("The message cannot be read.")


class CallbackTooLarge(DomainError):
    """A callback of more bytes than any supplier sends."""

    status = 413
    code = "callback_too_large"
    message = _("The message is larger than %(bytes)d bytes.")

    def __init__(self, *, bytes: int) -> None:
        super().__init__(bytes=bytes)


class AttemptNotUnknown(Conflict):
    """Only an attempt whose outcome is unknown can be sent again."""

    code = "attempt_not_unknown"
    message = _("This attempt is “%(status)s”; only one whose outcome is unknown can be sent again.")

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class CodesNotFound(NotFound):
    """The delivery has no card code, or it is not the reader's."""

    code = "codes_not_found"
    message = _("There is no card code here.")


class CodesUnreadable(Conflict):
    """A sealed code does not open in its place: it was moved or changed."""

    code = "codes_unreadable"
    message = _("This card code cannot be opened. The platform has been told; please contact its service.")


class CodesRepeated(Conflict):
    """The supplier gave a code that it had given before."""

    code = "codes_repeated"
    message = _("The supplier gave a card code that is already someone's.")
