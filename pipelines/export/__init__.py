"""From a trained model to files that run without it: written, run, compared with Keras, then put in place."""

from pipelines.export.build import export_all
from pipelines.export.servable import FORMATS, ExportError, ExportRow, Servable, require_proven

__all__ = ["FORMATS", "ExportError", "ExportRow", "Servable", "export_all", "require_proven"]
