"""What a run's curves say about it: the findings of the diagnosis, each with what to try.

May import: observe.
"""

from __future__ import annotations

from refluid.observe.diagnosis import Diagnosis, Finding, Severity
from refluid.observe.report.markup import Html, element, join, prose
from refluid.observe.report.material import Material

__all__ = ["draw_diagnosis"]

_WORDS = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.SERIOUS: "serious"}


def draw_diagnosis(material: Material) -> Html | None:
    """Return what was found, or that nothing was; None if there was nothing to look at."""
    diagnosis = material.diagnosis
    if not material.curves or not (diagnosis.findings or diagnosis.examined):
        return None
    findings = [_drawn(finding) for finding in diagnosis.findings]
    return join(*(findings or [_healthy(diagnosis)]), _missing(diagnosis))


def _drawn(finding: Finding) -> Html:
    word = _WORDS[finding.severity]
    badge = element("span", word, class_=f"badge {word}")
    return element(
        "div",
        element("h3", finding.title, badge),
        element("p", prose(finding.evidence)),
        element("p", element("strong", "What to try: "), prose(finding.advice)),
        class_="finding",
    )


def _healthy(diagnosis: Diagnosis) -> Html:
    examined = f"Looked for: {', '.join(diagnosis.examined)}."
    return join(element("p", "Nothing wrong was found."), element("p", examined, class_="note"))


def _missing(diagnosis: Diagnosis) -> Html | None:
    if not diagnosis.missing:
        return None
    listed = "; ".join(f"{what} ({why.reason})" for what, why in diagnosis.missing.items())
    return element("p", prose(f"Not looked for: {listed}."), class_="note")
