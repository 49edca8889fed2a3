"""One scratch clone for all tests of this room."""

from smoke_clone import smoke  # noqa: F401, a fixture
