"""OAuth clients of the engine: who they are, their hashed secrets, the keys that sign tokens, and the tokens.

It knows nothing of HTTP: the server turns its answers into the shapes that each API documents.
"""
