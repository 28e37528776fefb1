"""How people sign in, and what keeps their accounts safe."""
