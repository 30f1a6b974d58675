//! What connectors an operator allows: their classes, the keys of their configs, the number of their tasks.
