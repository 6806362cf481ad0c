//! The services, their actions, and which event belongs to which.
