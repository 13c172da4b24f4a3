"""The Piaxis partner API over HTTP."""
