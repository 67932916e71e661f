"""Maps of graphs: features of nodes, (nodes, features) an item, that move along edges."""
