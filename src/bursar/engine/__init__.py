"""The payments engine: what moving money means. Knows neither HTTP nor any server."""
