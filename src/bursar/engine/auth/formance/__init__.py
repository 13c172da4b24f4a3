"""The clients of a Formance stack, their secrets, and the tokens that its services take.

A client here is what the stack's auth service calls one: options that can be replaced, any number of secrets. Its
tokens say who it is and what it may do, and nothing else; deleting a client does not end them, revoking does.
"""
