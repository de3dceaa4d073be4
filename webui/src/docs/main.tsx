import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import "../shared/base.css";
import "../shared/theme";
import { DocsPage } from "./DocsPage";
import "./docs.css";

createRoot(document.getElementById("root")!).render(
  <QueryClientProvider client={new QueryClient()}>
    <DocsPage />
  </QueryClientProvider>,
);
