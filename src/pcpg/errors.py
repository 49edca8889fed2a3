"""The one error that a user is meant to read."""


class InputError(ValueError):
    """Something the user gave is wrong: one line that names the file and, where there is one, the key or line."""

    def __init__(self, where: object, problem: str):
        super().__init__(f"{where}: {problem}")
