import { queryOptions } from "@tanstack/react-query";
import { ask, send } from "@/api/client";
import type { Session } from "@/api/types";

/** Who is signed in, and to which workspace. */
export const session = () => queryOptions({ queryKey: ["session"], queryFn: () => ask<Session>("/session"), staleTime: Infinity });

export const signIn = (token: string) => send("/session", { token });
