/** A Handlebars template, compiled by the build (scripts/templates.mjs). */
declare module "*.hbs" {
  const template: (data: object, options?: { helpers?: Readonly<Record<string, (...values: string[]) => string>> }) => string;
  export default template;
}
