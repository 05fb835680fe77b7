"""Rule files as a run reads them: what is valid in them, the engine that judges has said."""
