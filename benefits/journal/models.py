"""The journal's rows. The tables exist in the public schema (the platform) and in every company's; all are final."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import pgettext_lazy


class Entry(models.Model):
    """One sealed record's place in the chain; the record itself stays where it was written."""

    class Kind(models.TextChoices):
        POSTING = "posting", pgettext_lazy("journal", "posting")
        EVENT = "event", pgettext_lazy("journal", "audit event")

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    ref = models.BigIntegerField()  # the posting's or the event's id
    at = models.DateTimeField(db_index=True)  # the record's own time
    leaf = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        ordering = ("seq",)
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="entry_seals_a_record_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.ref}"


class Checkpoint(models.Model):
    """What one sealing added: the records' Merkle root and the chain's head, signed."""

    number = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField(unique=True)
    last = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    head = models.BinaryField()
    previous = models.BinaryField()  # digest of the checkpoint before, signature and all
    at = models.DateTimeField(db_index=True)
    key = models.CharField(max_length=16)
    signature = models.BinaryField()
    # The highest ids seen so far: what the next sealing need not look below once nobody can still commit there.
    postings_to = models.BigIntegerField()
    events_to = models.BigIntegerField()

    class Meta:
        ordering = ("number",)
        constraints = [
            models.CheckConstraint(
                condition=Q(first__gte=1, last__gte=F("first")), name="checkpoint_seals_something"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.first}–{self.last}"


class Anchor(models.Model):
    """A checkpoint that was put where the platform cannot change it any more, and when."""

    class Channel(models.TextChoices):
        FILE = "file", pgettext_lazy("journal", "file written once")
        MAIL = "mail", pgettext_lazy("journal", "mail")

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchors")
    channel = models.CharField(max_length=4, choices=Channel.choices)
    copies = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.channel} {self.checkpoint_id}"
