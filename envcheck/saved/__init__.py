"""Reading saved models without loading them: who wrote them, of which layers they are made, what code they carry. No opinions."""
