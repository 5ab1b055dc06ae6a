import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { FOUR_EYES_KEYS } from "../keys";

/** Whether governing roles need a second owner, with the switch. Turning it off takes a second owner, too. */
export function FourEyes() {
  const client = useQueryClient();
  const state = useQuery(api.fourEyes());
  const setting = useMutation({
    mutationFn: api.setFourEyes,
    onSuccess: (after) => {
      client.setQueryData(api.fourEyes().queryKey, after);
      say(after.off_asked_by ? "Four eyes stay on until another owner turns them off, too" : `Four eyes are ${after.on ? "on" : "off"}`);
    },
  });
  const isOn = state.data?.on === true;
  useCommands(FOUR_EYES_KEYS, { "access.four-eyes": () => state.data && setting.mutate(!isOn) });
  const error = state.error ?? setting.error;
  return (
    <Panel
      title="Four eyes on governing roles"
      meta={state.data ? <>{isOn ? "on" : "off"} <Button className="small" command="access.four-eyes" disabled={setting.isPending}>{isOn ? "Turn off" : "Turn on"}</Button></> : null}
    >
      {error ? <ErrorState error={error} /> : null}
      <p className="people-note dim">
        {isOn
          ? "When an owner gives or takes a governing role, another owner confirms it before it takes effect."
          : "One owner alone can give and take governing roles."}
        {state.data?.off_asked_by ? ` ${state.data.off_asked_by} asks to turn this off; another owner has a week to do the same.` : ""}
      </p>
    </Panel>
  );
}
