"""The short cuts of reading give what the long way gives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from benefits.roster import fields, normalise

SHORT_CUTS = [field for field in fields.FIELDS if field.plain is not None]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_plain_text_is_its_own_value(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(SHORT_CUTS))
    assert field.plain is not None
    text = data.draw(st.from_regex(field.plain.__self__, fullmatch=True))  # type: ignore[attr-defined]

    assert normalise.attempt(field.read, text) == text
