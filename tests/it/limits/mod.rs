//! What a client, or all together, may take, and what they are told past it.

mod load;
mod queue;
mod size;
mod time;
