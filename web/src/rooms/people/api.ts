import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";
import type { ACTIONS, AccessAnswer, KeptRow, NewAccessRequest, NewClassification, NewGrant, NewPerson, NewToken } from "@/api/schema.gen";

export type Role = NewGrant["role"];
export type Action = (typeof ACTIONS)[number];

/** What every list of this room begins its key with. */
export const PEOPLE = ["people"] as const;

export const people = () => queryOptions({ queryKey: [...PEOPLE, "all"], queryFn: () => call("get", "/api/v1/people") });
export const teams = () => queryOptions({ queryKey: [...PEOPLE, "teams"], queryFn: () => call("get", "/api/v1/teams") });
export const grants = () => queryOptions({ queryKey: [...PEOPLE, "grants"], queryFn: () => call("get", "/api/v1/grants") });
export const sessions = () => queryOptions({ queryKey: [...PEOPLE, "sessions"], queryFn: () => call("get", "/api/v1/account/sessions") });
export const tokens = () => queryOptions({ queryKey: [...PEOPLE, "tokens"], queryFn: () => call("get", "/api/v1/tokens") });
export const whoCan = (action: string, resource: string) =>
  queryOptions({ queryKey: [...PEOPLE, "who", action, resource], queryFn: () => call("get", "/api/v1/access/who", { query: { action, resource } }), retry: false });
/** Why somebody, or without `who` oneself, may do something or not. */
export const why = (action: string, resource: string, who = "") =>
  queryOptions({ queryKey: [...PEOPLE, "why", who, action, resource], queryFn: () => call("get", "/api/v1/access/why", { query: { who, action, resource } }), retry: false });
/** What kind of data a dataset holds. */
export const classification = (dataset: string) =>
  queryOptions({ queryKey: [...PEOPLE, "classification", dataset], queryFn: () => call("get", "/api/v1/datasets/{dataset}/classification", { path: { dataset } }), retry: false });
export const classify = (dataset: string, body: NewClassification) => call("put", "/api/v1/datasets/{dataset}/classification", { path: { dataset }, body });
export const myRequests = () => queryOptions({ queryKey: [...PEOPLE, "requests", "own"], queryFn: () => call("get", "/api/v1/access/requests") });
export const openRequests = () =>
  queryOptions({ queryKey: [...PEOPLE, "requests", "waiting"], queryFn: () => call("get", "/api/v1/access/requests", { query: { everyone: true, state: "waiting" } }) });
export const review = (kept: boolean) => queryOptions({ queryKey: [...PEOPLE, "review", kept], queryFn: () => call("get", "/api/v1/access/review", { query: { kept } }) });
/** Whether the server has accounts; needs nobody signed in. */
export const health = () => queryOptions({ queryKey: ["health"], queryFn: () => call("get", "/api/v1/health"), staleTime: Infinity });

/** Whether governing roles need a second owner. */
export const fourEyes = () => queryOptions({ queryKey: [...PEOPLE, "four-eyes"], queryFn: () => call("get", "/api/v1/organisation/four-eyes") });
export const setFourEyes = (on: boolean) => call("put", "/api/v1/organisation/four-eyes", { body: { on } });

export const addPerson = (body: NewPerson) => call("post", "/api/v1/people", { body });
export const invite = (who: string) => call("post", "/api/v1/people/{who}/invitation", { path: { who } });
export const disable = (who: string) => call("put", "/api/v1/people/{who}/disabled", { path: { who } });
export const enable = (who: string) => call("delete", "/api/v1/people/{who}/disabled", { path: { who } });
export const addTeam = (name: string) => call("post", "/api/v1/teams", { body: { name } });
export const addMember = (name: string, email: string, role: Role) => call("post", "/api/v1/teams/{name}/members", { path: { name }, body: { email, role } });
export const addGrant = (body: NewGrant) => call("post", "/api/v1/grants", { body });
export const revokeGrant = (id: string) => call("delete", "/api/v1/grants/{id}", { path: { id } });
export const endSession = (id: string) => call("delete", "/api/v1/account/sessions/{id}", { path: { id } });
export const createToken = (body: NewToken) => call("post", "/api/v1/tokens", { body });
export const revokeToken = (id: string) => call("delete", "/api/v1/tokens/{id}", { path: { id } });
export const changePassword = (old: string, fresh: string) => call("post", "/api/v1/account/password", { body: { old, new: fresh } });
export const signIn = (email: string, password: string) => call("post", "/api/v1/sign-in", { body: { email, password } });
export const deviceSignIn = (code: string) =>
  queryOptions({ queryKey: ["device", code], queryFn: () => call("post", "/api/v1/device-sign-ins/show", { body: { user_code: code } }), retry: false, enabled: code !== "" });
export const answerDevice = (user_code: string, allow: boolean) => call("post", "/api/v1/device-sign-ins/answer", { body: { user_code, allow } });
export const signOut = () => call("post", "/api/v1/sign-out");
export const showInvitation = (secret: string) => call("post", "/api/v1/invitations/show", { body: { secret } });
export const acceptInvitation = (body: { secret: string; password: string; name: string; email: string }) => call("post", "/api/v1/invitations/accept", { body });
export const askForAccess = (body: NewAccessRequest) => call("post", "/api/v1/access/requests", { body });
export const answerRequest = (id: string, body: AccessAnswer) => call("post", "/api/v1/access/requests/{id}/answer", { path: { id }, body });
export const withdrawRequest = (id: string) => call("delete", "/api/v1/access/requests/{id}", { path: { id } });
export const keepInReview = (body: KeptRow) => call("post", "/api/v1/access/review/kept", { body });
