"""What can go wrong with the people who sign in."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Forbidden


class UserExists(Conflict):
    """The name or the e-mail address is somebody's already."""

    code = "user_exists"
    message = _("“%(name)s” can sign in already. Find them in the list instead.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class OwnAccess(Forbidden):
    """Nobody changes their own access; another administrator does."""

    code = "own_access"
    message = _("You cannot change your own access. Another administrator can.")
