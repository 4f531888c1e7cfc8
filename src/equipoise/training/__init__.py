"""The engine: one adversarial step, the loop around it, and a state that can be saved
and resumed exactly."""
