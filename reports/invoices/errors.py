"""What can go wrong with invoices and their documents."""


class RenderingFailed(Exception):
    def __init__(self, *, name):
        self.name = name


class ChineseFontMissing(RenderingFailed):
    pass


class PdfLibraryMissing(RenderingFailed):
    pass
