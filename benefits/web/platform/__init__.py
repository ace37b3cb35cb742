"""The platform console: operators and platform finance."""
