"""Previews: the editor's page framed in the editor, whoever the editor is."""

import pytest
from django.test import Client

from cms.models import ArticlePage, CampaignPage, HomePage
from tenants.identity.roles import Role
from tenants.models import Company
from tests.people import client_of, somebody


@pytest.fixture
def editor(acme: Company) -> Client:
    """An editor who is on no roster."""
    return client_of(somebody(Role.EDITOR), host="acme.localhost")


@pytest.mark.parametrize("model", [HomePage, ArticlePage, CampaignPage])
def test_a_draft_is_previewed(editor: Client, acme: Company, model: type) -> None:
    page = model.objects.first()
    if page is None:
        page = HomePage.objects.get().add_child(instance=model(title="新页", slug="new-page"))
    page.save_revision()
    answer = editor.get(f"/cms/pages/{page.pk}/view_draft/")
    assert answer.status_code == 200
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
