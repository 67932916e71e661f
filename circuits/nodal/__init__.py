"""Modified nodal analysis: circuits of any elements as one system, and its operating points."""
