"""What goes wrong in a run, by its journal, in plain words.

May import: observe.diagnosis.
"""

from refluid.observe.diagnosis.diagnosis import Diagnosis, diagnose, examine
from refluid.observe.diagnosis.finding import Finding, Missing, Severity

__all__ = ["Diagnosis", "Finding", "Missing", "Severity", "diagnose", "examine"]
