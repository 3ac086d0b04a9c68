"""What the fault matrix changes inside the product's processes; none of it is in the product."""

# Deliberately broken builds (sabotage.py), and what the matrix must find in each.
BROKEN = {"keys": "doubled", "acknowledgement": "lost"}
