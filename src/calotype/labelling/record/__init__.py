"""The record of an assignment: operations, the event log, the present state that follows from it."""
