/** What was asked for cannot be: the message is for whoever asked. Exit code 1. */
export class Refused extends Error {}
