/** A Handlebars template, compiled by the build (scripts/templates.mjs). */
declare module "*.hbs" {
  const template: (data: object, options?: { helpers?: Readonly<Record<string, (value: string) => string>> }) => string;
  export default template;
}
