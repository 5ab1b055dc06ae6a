// Of Mantine only what is used: the variables and the popover.
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "@mantine/core/styles/Popover.css";
import "@/kit/tokens.css";
import "@/kit/base.css";
import "@/kit/kit.css";
import "@/app/shell.css";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient, router } from "@/app/router";
import { Shell } from "@/app/shell";
import { schemeManager, theme } from "@/app/theme";
import { AppFrame } from "@/kit/frame";

const place = document.getElementById("app");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <MantineProvider theme={theme} colorSchemeManager={schemeManager} defaultColorScheme="auto">
        <QueryClientProvider client={queryClient}>
          <AppFrame value={Shell}>
            <RouterProvider router={router} />
          </AppFrame>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
