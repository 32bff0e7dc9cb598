"""The European cities that payments come from, with their currency and the language of their people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """`price_level` is about how many units of `currency` a euro buys; no rule depends on it."""

    name: str
    currency: str
    price_level: float
    locale: str  # of Faker


CITIES = (
    City("Berlin", "EUR", 1.0, "de_DE"),
    City("München", "EUR", 1.0, "de_DE"),
    City("Hamburg", "EUR", 1.0, "de_DE"),
    City("Wien", "EUR", 1.0, "de_AT"),
    City("Zürich", "CHF", 0.94, "de_CH"),
    City("Genève", "CHF", 0.94, "fr_CH"),
    City("Paris", "EUR", 1.0, "fr_FR"),
    City("Lyon", "EUR", 1.0, "fr_FR"),
    City("Bruxelles", "EUR", 1.0, "fr_BE"),
    City("Amsterdam", "EUR", 1.0, "nl_NL"),
    City("London", "GBP", 0.88, "en_GB"),
    City("Edinburgh", "GBP", 0.88, "en_GB"),
    City("Dublin", "EUR", 1.0, "en_IE"),
    City("Madrid", "EUR", 1.0, "es_ES"),
    City("Barcelona", "EUR", 1.0, "es_ES"),
    City("Lisboa", "EUR", 1.0, "pt_PT"),
    City("Porto", "EUR", 1.0, "pt_PT"),
    City("Roma", "EUR", 1.0, "it_IT"),
    City("Milano", "EUR", 1.0, "it_IT"),
    City("København", "DKK", 7.46, "da_DK"),
    City("Stockholm", "SEK", 10.9, "sv_SE"),
    City("Malmö", "SEK", 10.9, "sv_SE"),
    City("Oslo", "NOK", 11.7, "no_NO"),
    City("Helsinki", "EUR", 1.0, "fi_FI"),
    City("Warszawa", "PLN", 4.25, "pl_PL"),
    City("Kraków", "PLN", 4.25, "pl_PL"),
    City("Praha", "CZK", 24.4, "cs_CZ"),
    City("Budapest", "HUF", 385.0, "hu_HU"),
)
