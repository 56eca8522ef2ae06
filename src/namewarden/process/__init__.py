"""The composition roots and what they need: who builds which parts, in which order, and how they stop."""
