import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/client";

/** Who is signed in, and to which workspace. */
export const session = () =>
  queryOptions({ queryKey: ["session"], queryFn: () => call("get", "/api/v1/session"), staleTime: Infinity });

export const signIn = (token: string) => call("post", "/api/v1/session", { body: { token } });
