"""What people see of a product: its description, its icon and a drawing of its composition."""
