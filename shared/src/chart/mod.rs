//! Charts as pure geometry, and their drawing over any plotters backend.
